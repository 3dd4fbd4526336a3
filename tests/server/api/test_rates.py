"""Rates by the clock, which no server can be asked to turn."""

from types import SimpleNamespace

import pytest
from limits import parse_many
from mooring_server.api.driver import Driver
from mooring_server.api.rates import Allowance, Rates
from mooring_server.background import Separation
from mooring_server.core.policy import POLICY, Caller, RateClass
from mooring_server.errors import ResourceExhausted
from mooring_server.metrics import Metrics
from mooring_server.settings import Settings
from pydantic import ValidationError
from support_server import HeaderAuth


class Clock:
    """Seconds that only pass when they are told to."""

    def __init__(self) -> None:
        self.now_s = 1_000_000.0

    def __call__(self):
        return self.now_s


def drain(rates, user="ann"):
    """Takes all there is: how many calls, and the refusal of the next."""
    taken = 0
    while (refusal := rates.take(user, RateClass.READ)) is None:
        taken += 1
    return taken, refusal


@pytest.mark.parametrize(
    ("rate", "amount"), [("1/second", 1), ("7/second", 7), ("120/minute", 120), ("3/hour", 3)]
)
def test_a_rate_allows_its_number_at_once_and_again_after_its_period(rate, amount):
    """A burst is as large as the number; nothing more until time passes; all of it after the period."""
    clock = Clock()
    rates = Rates(Settings(read_rate=rate), Metrics(), clock)
    assert drain(rates)[0] == amount
    assert drain(rates)[0] == 0
    clock.now_s += {"second": 1, "minute": 60, "hour": 3_600}[rate.split("/")[1]]
    assert drain(rates)[0] == amount


@pytest.mark.parametrize("rate", ["1/second", "7/second", "120/minute", "3/hour"])
def test_who_waits_as_told_is_admitted(rate):
    """The delay in a refusal is enough, and hardly too long."""
    clock = Clock()
    rates = Rates(Settings(read_rate=rate), Metrics(), clock)
    for _ in range(50):
        _, refusal = drain(rates)
        assert refusal.retry_after_s > 0
        clock.now_s += refusal.retry_after_s - 0.002
        assert rates.take("ann", RateClass.READ) is not None
        clock.now_s += 0.002
        assert rates.take("ann", RateClass.READ) is None


def test_of_several_limits_each_holds():
    """A rate may have more than one limit: whichever is reached first refuses."""
    clock = Clock()
    rates = Rates(Settings(read_rate="5/second;12/minute"), Metrics(), clock)
    taken = []
    for _ in range(4):
        taken.append(drain(rates)[0])
        clock.now_s += 1
    assert taken == [5, 5, 2, 0]


def test_users_who_are_gone_are_forgotten():
    """However many users call in time, about as many are kept in mind as call in one period."""
    clock = Clock()
    (item,) = parse_many("1000/second")
    allowance = Allowance(item)
    for index in range(20_000):
        clock.now_s += 0.01
        assert allowance.take(f"user-{index}", clock.now_s) == 0
    assert len(allowance) <= 2_048


def test_a_call_is_counted_once_however_often_its_transaction_runs():
    """Admission takes from the rate when it is asked for, not when a transaction checks a name."""
    store = SimpleNamespace(signing_key=b"key", metrics=Metrics())
    settings = Settings(read_rate="2/day")
    driver = Driver(store, settings, HeaderAuth(), Separation(store, settings))
    rpc = "mooring.v1.UserService/GetCurrentUser"
    first, second, third = (driver.admission(rpc, Caller("ann")) for _ in range(3))
    for _ in range(3):
        assert (first(None, ""), second(None, "")) == ("", "")
    for _ in range(2):
        with pytest.raises(ResourceExhausted):
            third(None, "")


def test_each_rpc_counts_for_one_class():
    """What moves whole inventories is bulk, the watch is a class of its own, and no other RPC is either."""
    by_class = {rate: {rpc for rpc, rule in POLICY.items() if rule.rate is rate} for rate in RateClass}
    assert by_class[RateClass.BULK] == {
        "mooring.v1.DiscoveryService/UploadInventory",
        "mooring.v1.DiscoveryService/PreviewInventory",
        "mooring.v1.DiscoveryService/ImportInventory",
        "mooring.v1.DiscoveryService/ReadAssets",
        "mooring.v1.DiscoveryService/ReadDependencies",
        "mooring.v1.SessionService/MergeSessions",
        "mooring.v1.SessionService/ExportSession",
        "mooring.v1.SessionService/ImportSession",
    }
    assert by_class[RateClass.WATCH] == {"mooring.v1.WatchService/Watch"}
    assert "mooring.v1.SessionService/GetSession" in by_class[RateClass.READ]
    assert "mooring.v1.SessionService/CreateSession" in by_class[RateClass.WRITE]


@pytest.mark.parametrize("setting", ["read_rate", "write_rate", "bulk_rate", "watch_rate"])
@pytest.mark.parametrize("text", ["fast", "0/second", "-1/second", "10/fortnight", "10"])
def test_a_rate_that_is_none_is_refused(setting, text):
    """A rate that cannot be read fails at the start, and says what one looks like."""
    with pytest.raises(ValidationError, match="such as `100/second`"):
        Settings(**{setting: text})


@pytest.mark.parametrize("text", ["9464", ":9464", "localhost", "localhost:99999", "a:b:1", "::1:9464"])
def test_a_metrics_address_is_host_and_port(text):
    """Anything else fails at the start."""
    with pytest.raises(ValidationError, match="must be host:port"):
        Settings(metrics_address=text)


def test_a_wait_fits_into_a_call():
    """WaitOperation must be able to answer before its call is over."""
    with pytest.raises(ValidationError, match="less than call_time_max_s"):
        Settings(call_time_max_s=30, operation_wait_max_s=30)
