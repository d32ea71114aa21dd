"""What else Anthropic can tell, and why it is not read: it repeats the same dollars, tokens or people.

Sums are made by hand, in cents as on the wire.
"""

import json
from decimal import Decimal
from typing import Any

from tests.integrations.spend.contract import decode, given, sample
from tests.integrations.spend.test_anthropic import CASE


def data(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = decode(sample(f"anthropic/{name}.json"))["data"]
    return rows


def cents(rows: list[dict[str, Any]], name: str = "amount") -> Decimal:
    return sum((Decimal((row.get("cost") or row)[name]) for row in rows), Decimal(0))


def test_the_total_of_a_range_is_the_sum_of_its_days():
    # 1239.138 + 971.388 = 2210.526; at list price 1376.82 + 1079.32 = 2456.14
    assert cents(data("analytics_cost.total")) == Decimal("2210.526") == cents(data("analytics_cost.daily"))
    assert cents(data("analytics_cost.total"), "list_amount") == Decimal("2456.14")
    assert sum(day.billed_micro or 0 for day in given(CASE)) == 22_105_260


def test_groups_overlap_so_their_sum_is_above_the_bill():
    groups = data("analytics_cost.by_rbac_group")
    # Tuesday: checkout 816.408 + platform 29.52 + no group 154.98 = 1000.908, and 971.388 were billed: Dee is in both
    tuesday = [row for row in groups if row["starting_at"].startswith("2026-11-03")]
    assert cents(tuesday) == Decimal("1000.908") == Decimal("971.388") + Decimal("29.52")
    assert {row["user_id"][:11] for row in data("organizations_rbac_group_members")} >= {"user_01DeeX"}
    assert [row["name"] for row in data("organizations_rbac_groups")] == ["checkout", "platform"]


def test_the_older_cost_of_a_user_over_a_range_has_no_days():
    # 160803.863735 + 41280 = 202083.863735
    rows = data("user_cost_report")
    assert cents(rows) == Decimal("202083.863735")
    assert {row["starting_at"] for row in rows} == {None}


def test_the_older_usage_has_tokens_without_money_and_keys_instead_of_people():
    buckets = data("usage_report_messages.page1") + data("usage_report_messages.page2")
    rows = [row for bucket in buckets for row in bucket["results"]]
    # fresh 1,500 + 2,400,000 + 50,000; read 200 + 18,200,000
    # written 1,000 + 500 + 310,000; output 500 + 402,000 + 9,000
    assert sum(row["uncached_input_tokens"] for row in rows) == 2_451_500
    assert sum(row["cache_read_input_tokens"] for row in rows) == 18_200_200
    assert sum(sum(row["cache_creation"].values()) for row in rows) == 311_500
    assert sum(row["output_tokens"] for row in rows) == 411_500
    assert not [key for row in rows for key in row if "amount" in key or "cost" in key]


def test_activity_has_counts_and_neither_money_nor_tokens():
    rows = data("analytics_users")
    assert sum(row["claude_code_metrics"]["core_metrics"]["commit_count"] for row in rows) == 4  # Ana 4, Dee none
    assert "amount" not in json.dumps(rows)


def test_the_directories_name_people_whom_the_cost_report_names_already():
    people = data("organizations_users.page1") + data("organizations_users.page2")
    assert len(people) == 6  # ana, ben, chi and dee, eli, fay
    known = {row.actor.id: row.actor.email for day in given(CASE) for row in day.rows if row.actor.email}
    assert known.items() <= {person["id"]: person["email"] for person in people}.items()
    assert len(data("organizations_workspaces")) == 1
