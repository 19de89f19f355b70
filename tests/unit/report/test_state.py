"""What the page says of the state, and which commands it offers. Nothing is drawn."""

from tests.support.report_data import finding, page_data, stats_of
from z_interact_assets.report.page.attention import findings
from z_interact_assets.report.page.charts import time_format
from z_interact_assets.report.page.state import verdict


def test_what_is_quarantined_is_not_said_to_be_still_to_be_moved():
    only_stuck = verdict(page_data(stats=stats_of({"r2": 277, "base64": 8})))
    assert [sentence for sentence in only_stuck.sentences if "to be moved" in sentence] == []
    assert any("8 cannot be moved as they are" in sentence for sentence in only_stuck.sentences)
    both = verdict(page_data(stats=stats_of({"r2": 277, "base64": 11})))
    assert any(sentence.startswith("3 still need to be moved") for sentence in both.sentences)


def test_an_older_documents_base64_counts_as_still_to_be_moved():
    stats = stats_of({"r2": 277, "base64": 8})
    del stats["findings"]
    assert any(sentence.startswith("8 still need") for sentence in verdict(page_data(stats=stats)).sentences)


def test_a_reader_of_the_report_is_not_told_to_make_it():
    told = [
        finding("duplicates", "note", 3, "3 repeat another.", "z-interact-assets report"),
        finding("failed", "work", 1, "1 failed.", "z-interact-assets migrate"),
    ]
    assert [shown.command for shown in findings(stats_of(findings=told))] == [None, "z-interact-assets migrate"]


def test_marks_of_an_axis_say_enough_of_a_time_to_be_told_apart():
    day = "2026-11-25T{}+00:00"
    assert time_format({day.format("06:00:00"), day.format("06:02:00")}, wide=False) == "%H:%M:%S"
    assert time_format({day.format("06:00:00"), day.format("18:00:00")}, wide=True) == "%-d %b, %H:%M"
    assert time_format({day.format("06:00:00"), "2026-12-25T06:00:00+00:00"}, wide=False) == "%-d %b"
    assert time_format({day.format("06:00:00"), "2027-12-25T06:00:00+00:00"}, wide=False) == "%b %Y"
