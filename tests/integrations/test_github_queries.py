"""Our GraphQL queries are valid, and weigh no more than GitHub allows and `queries.py` says."""

from pathlib import Path

import pytest
from graphql import GraphQLSchema, NoDeprecatedCustomRule, build_schema, parse, validate
from graphql.language import FieldNode, FragmentDefinitionNode, FragmentSpreadNode, IntValueNode, Node
from graphql.type import GraphQLEnumType, GraphQLInterfaceType, GraphQLObjectType, GraphQLUnionType

from integrations.outcomes.github import queries
from integrations.outcomes.github.gateway import PAGE
from tests.fake_github.graphql import schema as fake_schema

SCHEMA = Path(__file__).parents[1] / "e2e/emulator/node_modules/@octokit/graphql-schema/schema.graphql"
QUERIES = {
    "pull requests": queries.PULL_REQUESTS,
    "pull request": queries.PULL_REQUEST,
    "more": queries.MORE,
    "users": queries.users([f"user-{number}" for number in range(PAGE)])[0],
}


@pytest.fixture(scope="module")
def github() -> GraphQLSchema:
    """GitHub's own schema; `make` installs it beside the emulator."""
    return build_schema(SCHEMA.read_text(), assume_valid=True)


@pytest.mark.e2e
@pytest.mark.parametrize("name", QUERIES)
def test_a_query_is_valid_by_githubs_own_schema(github, name) -> None:
    assert validate(github, parse(QUERIES[name])) == []
    assert validate(github, parse(QUERIES[name]), [NoDeprecatedCustomRule]) == []


@pytest.mark.e2e
def test_the_fake_has_the_types_of_github(github) -> None:
    for name, ours in fake_schema().type_map.items():
        theirs = github.type_map[name]
        if isinstance(ours, GraphQLObjectType | GraphQLInterfaceType) and not name.startswith("__"):
            assert isinstance(theirs, GraphQLObjectType | GraphQLInterfaceType)
            assert {key: str(field.type) for key, field in ours.fields.items()}.items() <= {
                key: str(field.type) for key, field in theirs.fields.items()
            }.items()
            assert {each.name for each in ours.interfaces} <= {each.name for each in theirs.interfaces}
        if isinstance(ours, GraphQLEnumType):
            assert isinstance(theirs, GraphQLEnumType)
            assert set(ours.values) - {"FROM_THE_FUTURE"} <= set(theirs.values)
        if isinstance(ours, GraphQLUnionType):
            assert isinstance(theirs, GraphQLUnionType)
            assert {each.name for each in ours.types} <= {each.name for each in theirs.types}


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_stays_within_what_github_allows(name) -> None:
    weight = Weight(QUERIES[name])
    assert weight.nodes <= 500_000
    assert weight.points <= 60


def test_a_page_weighs_what_its_module_says() -> None:
    weight = Weight(queries.PULL_REQUESTS)
    assert f"{weight.nodes:,} of the 500,000" in (queries.__doc__ or "")
    assert f"{weight.requests:,} requests, divided by 100 = {weight.points} of the 5,000" in (queries.__doc__ or "")


class Weight:
    """What a query can cost at most, by GitHub's formulas: nodes it may return, requests for its lists, points."""

    def __init__(self, query: str) -> None:
        document = parse(query)
        self.nodes = 0
        self.requests = 0
        self._fragments = {
            found.name.value: found for found in document.definitions if isinstance(found, FragmentDefinitionNode)
        }
        for definition in document.definitions:
            if not isinstance(definition, FragmentDefinitionNode):
                self._add(definition, 1)

    @property
    def points(self) -> int:
        return max(1, round(self.requests / 100))

    def _add(self, node: Node, parents: int) -> None:
        if isinstance(node, FragmentSpreadNode):
            node = self._fragments[node.name.value]
        size = _first(node) if isinstance(node, FieldNode) else None
        if size is not None:
            self.requests += parents
            self.nodes += parents * size
        chosen = getattr(node, "selection_set", None)
        for child in chosen.selections if chosen else ():
            self._add(child, parents * (size or 1))


def _first(field: FieldNode) -> int | None:
    """How many entries a list is asked for; None for what is no list, and for a list of which only the length is asked.
    A variable stands for a full page."""
    values = [argument.value for argument in field.arguments or () if argument.name.value in ("first", "last")]
    return next((int(value.value) if isinstance(value, IntValueNode) else PAGE for value in values), None)
