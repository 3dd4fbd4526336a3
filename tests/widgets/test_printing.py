"""What a view's function prints, and what everybody else prints at the same time."""

import contextlib
import io
import sys
import threading

from mooring_widgets.views.printing import PRINTED_MAX, captured


def test_prints_of_this_thread_are_kept_and_not_shown(capsys):
    """stdout and stderr come together, in order, and reach no cell."""
    with captured() as printed:
        print("one")
        print("two", file=sys.stderr)
        sys.stdout.writelines(["three"])
    assert str(printed) == "one\ntwo\nthree"
    assert capsys.readouterr() == ("", "")


def test_other_threads_print_where_they_did(capsys):
    """A cell that runs meanwhile keeps its own prints."""
    with captured() as printed:
        other = threading.Thread(target=lambda: print("a cell"))
        other.start()
        other.join()
        print("a view")
    assert str(printed) == "a view\n"
    assert capsys.readouterr().out == "a cell\n"


def test_streams_are_what_they_were_afterwards():
    """However many run at once, and whatever they raise."""
    before = sys.stdout, sys.stderr
    with contextlib.suppress(KeyError), captured(), captured() as inner:
        print("x")
        raise KeyError
    assert str(inner) == "x\n"
    assert (sys.stdout, sys.stderr) == before


def test_a_stream_that_a_cell_put_over_it_stays(capsys):
    """redirect_stdout in a cell that outlives the run of a view is not undone by it."""
    other = io.StringIO()
    with contextlib.ExitStack() as cell:
        with captured():
            cell.enter_context(contextlib.redirect_stdout(other))
        print("still there")
    assert other.getvalue() == "still there\n"
    print("here again")
    with captured():
        pass
    assert capsys.readouterr().out == "here again\n"


def test_endless_prints_are_cut():
    """Only the beginning is kept, with how much there was beyond it."""
    with captured() as printed:
        for _ in range(100):
            print("x" * 999)
    assert len(str(printed)) < PRINTED_MAX + 100
    assert str(printed).endswith(f"… and {100_000 - PRINTED_MAX:,} more characters")
