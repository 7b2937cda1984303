"""Customer and click logs in CSV: what is read, and what is refused in one line."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from stratagem.envs.games.recommendation.calibration import Customers, ItemClicks
from stratagem.fitting import fit_logs, read_log
from stratagem.fitting.times import DAYS, in_days, periods_per


def customers(text: str, **how: Any) -> Customers:
    found = read_log(text, **how)
    assert isinstance(found, Customers)
    return found


def clicks(text: str, **how: Any) -> ItemClicks:
    found = read_log(text, **how)
    assert isinstance(found, ItemClicks)
    return found


def test_a_row_per_customer_by_hand() -> None:
    found = customers("ID,frequency,recency,T\n1,2,30.43,38.86\n2,0,0,14\n")
    assert found.frequency.tolist() == [2, 0]
    assert found.recency.tolist() == [30.43, 0]
    assert found.observed.tolist() == [38.86, 14]
    days = customers("x,t_x,T\n2,21,35\n0,0,14\n", unit="day")
    assert days.recency.tolist() == pytest.approx([3, 0])
    assert days.observed.tolist() == pytest.approx([5, 2])
    assert customers("x,t_x,T\n2,21,35\n", unit="day", period="day").observed.tolist() == [35]


PURCHASES = """\
customer,date,price
a,1997-01-01,3
b,1997-01-08,1
a,1997-01-15,2
a,1997-01-15,9
c,1997-01-29,1
a,1997-01-29,2
"""


def test_a_row_per_purchase_by_hand() -> None:
    found = customers(PURCHASES)
    assert found.frequency.tolist() == [2, 0, 0]  # two on one day are one purchase
    assert found.recency.tolist() == pytest.approx([4, 0, 0])
    assert found.observed.tolist() == pytest.approx([4, 3, 0])
    cut = customers(PURCHASES, end="1997-01-22", period="day")
    assert cut.frequency.tolist() == [1, 0]
    assert cut.recency.tolist() == pytest.approx([14, 0])
    assert cut.observed.tolist() == pytest.approx([21, 14])
    later = customers(PURCHASES, end="1997-02-05")
    assert later.observed.tolist() == pytest.approx([5, 4, 1])


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%Y%m%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d 00:00Z"])
def test_dates_of_any_iso_form_and_numbers_are_the_same_log(form: str) -> None:
    rng = np.random.default_rng(0)
    who, day = rng.integers(0, 12, 60), rng.integers(0, 200, 60)
    rows = sorted(zip(who.tolist(), day.tolist(), strict=True), key=lambda row: row[1])
    start = datetime(1997, 1, 1)
    dated = [f"{c},{(start + timedelta(days=d)).strftime(form)}" for c, d in rows]
    counted = [f"{c},{d}" for c, d in rows]
    one = customers("\n".join(["customer,date", *dated]))
    two = customers("\n".join(["user id;time", *counted]).replace(",", ";"), unit="day")
    assert one.frequency.tolist() == two.frequency.tolist()
    assert one.recency == pytest.approx(two.recency)
    assert one.observed == pytest.approx(two.observed)
    # an independent count
    for place, c in enumerate(dict.fromkeys(c for c, _ in rows)):
        own = sorted({d for other, d in rows if other == c})
        assert one.frequency[place] == len(own) - 1
        assert one.recency[place] == pytest.approx((own[-1] - own[0]) / 7)
        assert one.observed[place] == pytest.approx((max(day) - own[0]) / 7)


def test_rows_of_purchases_may_come_in_any_order() -> None:
    head, *rows = PURCHASES.splitlines()
    one, two = customers(PURCHASES), customers("\n".join([head, *rows[::-1]]))
    for field in range(3):
        assert sorted(one[field]) == pytest.approx(sorted(two[field]))


def test_units_of_time_by_hand() -> None:
    assert periods_per("week", "day") == 7
    assert periods_per("day", "week") == pytest.approx(1 / 7)
    assert periods_per("year", "month") == pytest.approx(12)
    assert in_days(["90"], "f", [2], "minute", "120") == pytest.approx([1 / 16, 1 / 12])
    assert in_days(["1.5"], "f", [2], None, None) == [10.5]
    assert set(DAYS) == {"second", "minute", "hour", "day", "week", "month", "year"}


def test_clicks_by_item_and_by_impression_are_the_same_log() -> None:
    counted = clicks("item_id,clicks,impressions\nhat,1,3\nshoe,0,2\n,,\nsock,0,0\n")
    each = "hat,no\nshoe,0\nhat,1\nshoe,False\nhat,0\n"
    shown = clicks("item,click,position\n" + each.replace("\n", ",1\n"))
    for found in (counted, shown):
        assert found.impressions.tolist() == [3, 2]  # of what was never shown nothing is known
        assert found.clicks.tolist() == [1, 0]


def test_columns_have_any_name_if_it_is_told() -> None:
    text = "buyer\twhen\nx\t0\nx\t3\ny\t1\n"
    found = customers(text, columns={"customer": "buyer", "time": "when"})
    assert found.frequency.tolist() == [1, 0]
    assert found.observed.tolist() == pytest.approx([3, 2])
    # a name that is told goes before one that is recognised
    text = "x,frequency,t_x,T\n5,1,2,3\n"
    assert customers(text).frequency.tolist() == [5]
    assert customers(text, columns={"frequency": "frequency"}).frequency.tolist() == [1]


def test_a_log_of_shown_items_with_users_and_times_is_one_of_clicks() -> None:
    found = clicks("user,time,item,click\nu,0,a,1\nu,1,b,0\n")
    assert found.clicks.tolist() == [1, 0]


GOOD = "frequency,recency,T\n"
BAD = [
    ("", {}, "f is empty"),
    (" \n\n", {}, "f is empty"),
    ("frequency,recency,T\n", {}, "f has a header and no rows"),
    ("PK\x00\x03", {}, "f is not CSV: it has zero bytes"),
    ('{"frequency": [1, 2]}', {}, "f has a header and no rows"),
    ("a,b\n1,2\n", {}, "f must have columns frequency, recency, observed; item, clicks, impr"),
    ("frequency,recency\n1,2\n", {}, "f has no column for observed, needed with frequency, rec"),
    ("item,impressions\n1,2\n", {}, "f has no column for"),
    ("customer,price\n1,2\n", {}, "f has no column for time, needed with customer"),
    ("T,T,x,t_x\n1,1,1,1\n", {}, "f has the column 'T' twice"),
    (GOOD + "1,2\n", {}, "f, row 2: must have 3 cells as the header has, got 2"),
    (GOOD + "1,2,3,4\n", {}, "f, row 2: must have 3 cells as the header has, got 4"),
    (GOOD + "1,2,3\n\n1,,3\n", {}, "f, row 4: recency must be a number, got ''"),
    (GOOD + "1,two,3\n", {}, "f, row 2: recency must be a number, got 'two'"),
    (GOOD + "1,nan,3\n", {}, "f, row 2: recency must be a number, got 'nan'"),
    (GOOD + "1,2,inf\n", {}, "f, row 2: observed must be a number, got 'inf'"),
    (GOOD + "1.5,2,3\n", {}, "f, row 2: frequency must be a whole number"),
    (GOOD + "1e300,2,3\n", {}, "f, row 2: frequency must be a whole number below 2"),
    (GOOD + "-1,2,3\n", {}, "f, row 2: frequency must be at least 0, got -1"),
    (GOOD + "1,-2,3\n", {}, "f, row 2: recency must be at least 0, got -2"),
    (GOOD + "1,2,-3\n", {}, "f, row 2: observed must be at least 0, got -3"),
    (GOOD + "1,3.5,3\n", {}, "f, row 2: recency must not be above the time observed 3, got 3.5"),
    (GOOD + "0,1,3\n", {}, "f, row 2: recency must be 0 where there is no repeat purchase"),
    (GOOD + "1,0,3\n", {}, "f, row 2: recency must be 0 where there is no repeat purchase"),
    ("id,x,t_x,T\n7,1,2,3\n8,1,2,3\n7,1,2,3\n", {}, "customer '7' is on rows 2 and 4"),
    ("id,x,t_x,T\n,1,2,3\n", {}, "f, row 2: customer must be named"),
    ("item,clicks,impressions\na,3,2\n", {}, "f, row 2: clicks must not be above the impressions"),
    ("item,clicks,impressions\na,1,2\na,1,2\n", {}, "f: item 'a' is on rows 2 and 3"),
    ("item,clicks,impressions\na,-1,2\n", {}, "f, row 2: clicks must be at least 0"),
    ("item,clicks,impressions\na,x,2\n", {}, "f, row 2: clicks must be a number"),
    ("item,click\na,2\n", {}, "f, row 2: click must be one of 1, yes, true, 0, no, false, got '2'"),
    ("item,click\n,1\n", {}, "f, row 2: item must be named"),
    ("customer,time\na,31/01/1997\n", {}, "f, row 2: time must be a number, or a date such as"),
    ("customer,time\na,1997-01-31\nb,5\n", {}, "f, row 3: time must be a date such as 1997-01-31"),
    ("customer,time\na,5\nb,1997-01-31\n", {}, "f, row 3: time must be a number, or a date"),
    ("customer,time\na,-5\n", {}, "f, row 2: time must be at least 0, got -5"),
    (
        "customer,time\na,1997-01-31T00:00Z\nb,1997-01-31T00:00\n",
        {},
        "f, row 3: time must have a time zone where others have one",
    ),
    ("customer,time\n,5\n", {}, "f, row 2: customer must be named"),
    (PURCHASES, {"unit": "day"}, "unit is of times that are numbers; f has dates, got 'day'"),
    (PURCHASES, {"end": "5"}, "end must be a date such as 1997-01-31, got '5'"),
    (PURCHASES, {"end": "1990-01-01"}, "end must not be before the first purchase in f"),
    (PURCHASES, {"period": "aeon"}, "period must be one of second"),
    (GOOD + "1,2,3\n", {"unit": "aeon"}, "unit must be one of second"),
    (GOOD + "1,2,3\n", {"end": "9"}, "end is of a row per purchase, but f has none, got '9'"),
    ("item,click\na,1\n", {"unit": "day"}, "unit is of customers' times, but f has clicks"),
    (GOOD + "1,2,3\n", {"columns": {"rank": "T"}}, "columns must be of frequency, recency, obs"),
    (GOOD + "1,2,3\n", {"columns": {"time": "t"}}, "f has no column 't'; it has frequency, rec"),
]


@pytest.mark.parametrize(("text", "how", "message"), BAD)
def test_what_is_no_log_is_refused_with_the_row(text: str, how: Any, message: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011
        read_log(text, name="f", **how)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_field_too_long_for_csv_is_refused() -> None:
    with pytest.raises(ValueError, match="row 2: is not CSV: field larger"):
        read_log("item,click\n" + '"' + "a" * 200_000 + '",1\n', name="f")


def test_files_of_two_kinds_share_the_names_of_columns(tmp_path: Any) -> None:
    rng = np.random.default_rng(1)
    buys, shows = tmp_path / "buys.csv", tmp_path / "shows.csv"
    rows = [f"{rng.integers(40)},{rng.integers(300)}" for _ in range(120)]
    buys.write_text("\n".join(["buyer,time", *rows]), encoding="utf-8")
    rows = [f"{rng.integers(4)},{int(rng.random() < 0.3)}" for _ in range(200)]
    shows.write_text("\ufeffsku,clicked\n" + "\n".join(rows), encoding="utf-8")
    names = {"customer": "buyer", "item": "sku"}
    found = fit_logs(shows, buys, columns=names, unit="day")
    assert found.customers is not None
    assert found.clicks is not None
    assert len(found.customers.customers.frequency) <= 40
    assert found.clicks.counts.impressions.sum() == 200
    with pytest.raises(ValueError, match="one log of clicks at most"):
        fit_logs(shows, "open_bandit", columns={"item": "sku"})
    with pytest.raises(ValueError, match=r"shows.csv.* has no column for item"):
        fit_logs(shows)
