"""What storage costs, by the formulas the module documents."""

import pytest

from z_interact_assets.core.costs import Pace, Prices, Storage, Volume, base64_length, costs_document, estimate

PRICES = Prices(storage_gb_month=0.015, class_a_million=4.5, class_b_million=0.36, database_gb_month=0.75)


def storage(**changes) -> Storage:
    facts = {
        "objects": 2_500, "object_bytes": 3 * 10**9, "database_bytes": 5 * 10**9, "base64_bytes": 4 * 10**9,
        "waiting_images": 600, "waiting_bytes": 10**9, "r2_only_text_bytes": 2 * 10**9, "written_a_month": 900,
        "reads_a_month": 2_000_000, "pace": Pace(images=10, bytes=10_000_000, database_bytes=13_333_336),
    }  # fmt: skip
    return Storage(**(facts | changes))


def test_an_estimate_is_one_put_an_object_and_storage_by_the_month():
    cost = estimate(objects=1_000_000, object_bytes=2 * 10**9, text_bytes=7, prices=PRICES)
    assert (cost.class_a_operations, cost.one_time_usd) == (1_000_000, 4.5)
    assert (cost.monthly_storage_usd, cost.database_bytes_freed) == (0.03, 7)


@pytest.mark.parametrize(("size", "length"), [(0, 0), (1, 4), (2, 4), (3, 4), (4, 8), (3_000_000, 4_000_000)])
def test_base64_takes_four_characters_for_three_bytes(size, length):
    assert base64_length(size) == length


def test_the_month_now_is_what_lies_there():
    now = costs_document(storage(), PRICES)["now"]
    assert now["r2_storage"] == pytest.approx(3 * 0.015)
    assert now["r2_class_a"] == pytest.approx((900 + 30 * 3) / 1e6 * 4.5)
    assert now["r2_class_b"] == pytest.approx(0.72)
    assert now["database"] == pytest.approx(5 * 0.75)
    assert now["total"] == pytest.approx(sum(now[part] for part in now if part != "total"))


def test_all_in_r2_has_what_waits_as_objects_and_no_base64():
    cost = costs_document(storage(), PRICES)["all_in_r2"]
    assert cost["r2_storage"] == pytest.approx(4 * 0.015)
    assert cost["r2_class_a"] == pytest.approx((300 + 30 * 4) / 1e6 * 4.5)  # the growth's images, 3,100 objects listed
    assert cost["database"] == pytest.approx(0.75)


def test_all_base64_has_every_image_as_text_and_nothing_in_r2():
    cost = costs_document(storage(), PRICES)["all_base64"]
    assert cost["database"] == pytest.approx(7 * 0.75)
    assert cost["r2_storage"] == cost["r2_class_a"] == cost["r2_class_b"] == 0


def test_in_a_year_there_is_a_year_of_growth():
    cost = costs_document(storage(), PRICES)["in_12_months"]
    objects = 3_100 + 3_650
    expected = (4 + 3.65) * 0.015 + (300 + 30 * -(-objects // 1_000)) / 1e6 * 4.5 + 0.72 + 0.75
    assert cost["all_in_r2"] == pytest.approx(expected, abs=1e-5)
    assert cost["all_base64"] == pytest.approx((7 + 365 * 0.013333336) * 0.75, abs=1e-5)


def test_what_is_unknown_is_no_zero_and_left_out_of_the_total():
    costs = costs_document(storage(objects=None, object_bytes=None, reads_a_month=None, pace=None), PRICES)
    assert {costs["now"][part] for part in ("r2_storage", "r2_class_a", "r2_class_b")} == {None}
    assert costs["now"]["total"] == costs["now"]["database"]
    assert costs["all_in_r2"]["r2_storage"] is None
    assert costs["in_12_months"] == {"all_in_r2": None, "all_base64": None}
    known_growth = costs_document(storage(objects=None, object_bytes=None), PRICES)["in_12_months"]
    assert known_growth["all_in_r2"] is None
    assert known_growth["all_base64"] is not None


def test_an_empty_bucket_is_still_listed():
    volume = Volume(objects=0, object_bytes=0, database_bytes=0, written_a_month=0, reads_a_month=None)
    assert volume.cost(PRICES)["r2_class_a"] == pytest.approx(30 / 1e6 * 4.5)
