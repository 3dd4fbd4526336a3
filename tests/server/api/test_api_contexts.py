"""Contexts: listed, deleted, and going when nobody uses them."""

from datetime import timedelta

import grpc
from mooring_server.settings import Settings
from support_engagements import (
    add,
    delete_context,
    get_context,
    get_engagement,
    list_contexts,
    me,
    new_request_id,
    open_context,
    remove,
    switch_engagement,
)
from support_server import new_engagement, refused

Code = grpc.StatusCode


def test_contexts_are_listed_newest_first(ann, bob):
    """The caller's own alone, page by page."""
    for caller in (ann, bob):
        new_engagement(caller)
    opened = [open_context(ann, f"kernel-{number}").context for number in range(3)]
    open_context(bob, "kernel")
    wanted = [*reversed(opened), get_context(ann)]
    assert list(list_contexts(ann).contexts) == wanted
    first = list_contexts(ann, page_size=3)
    second = list_contexts(ann, page_size=3, page_token=first.next_page_token)
    assert [*first.contexts, *second.contexts] == wanted
    assert second.next_page_token == ""
    assert list(list_contexts(ann, skip=2).contexts) == wanted[2:]
    with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
        list_contexts(bob, me(ann).name)


def test_a_context_says_when_it_goes(ann):
    """Each opening and each switch puts it off; `default` never goes."""
    engagement = new_engagement(ann)
    made = open_context(ann, "kernel").context
    keep = timedelta(seconds=Settings().context_keep_s)
    assert made.expire_time.ToDatetime() == made.use_time.ToDatetime() + keep
    opened = open_context(ann, "kernel").context
    assert opened.use_time.ToNanoseconds() > made.use_time.ToNanoseconds()
    assert (opened.update_time, opened.revision) == (made.update_time, made.revision)
    switched = switch_engagement(ann, engagement.name, context=made.name).context
    assert switched.use_time == switched.update_time
    assert switched.use_time.ToNanoseconds() > opened.use_time.ToNanoseconds()
    assert not get_context(ann).HasField("expire_time")


def test_a_deleted_context_is_made_again(ann):
    """Its notebook gets a new one, and `default` comes back with the next switch."""
    engagement = new_engagement(ann)
    made = open_context(ann, "kernel").context
    assert delete_context(ann, made.name) == made
    with refused(Code.NOT_FOUND, "CONTEXT_NOT_FOUND"):
        get_context(ann, made.name)
    with refused(Code.NOT_FOUND, "CONTEXT_NOT_FOUND"):
        delete_context(ann, made.name)
    again = open_context(ann, "kernel")
    assert (again.created, again.context.name != made.name) == (True, True)
    delete_context(ann, "users/me/contexts/default")
    with refused(Code.NOT_FOUND, "CONTEXT_NOT_FOUND"):
        get_context(ann)
    switch_engagement(ann, engagement.name)
    assert get_context(ann).current_engagement == engagement.name


def test_a_deletion_is_ones_own_and_repeatable(ann, bob):
    """Others' contexts are forbidden, a preview deletes nothing, a retry gets the same answer."""
    new_engagement(ann)
    made = open_context(ann, "kernel").context
    with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
        delete_context(bob, made.name)
    assert delete_context(ann, made.name, validate_only=True) == made
    request_id = new_request_id()
    deleted = delete_context(ann, made.name, request_id=request_id)
    assert delete_context(ann, made.name, request_id=request_id) == deleted == made


def test_a_context_outlives_a_membership(ann, bob):
    """It keeps the names that it had; what they name is refused, until the context is switched elsewhere."""
    engagement = new_engagement(ann)
    member = add(ann, engagement.name, bob)
    switch_engagement(bob, engagement.name)
    remove(ann, member.name)
    left = get_context(bob)
    assert left.current_session == engagement.default_session
    with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
        get_engagement(bob, left.current_engagement)
    own = new_engagement(bob)
    assert switch_engagement(bob, own.name).context.revision == left.revision + 1
