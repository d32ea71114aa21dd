"""GitHub's answers as they arrive: checked here, turned into our own values in `parse.py`, never kept.

Unknown fields are welcome. Nothing here prints what people wrote: no input in errors, no text in `repr`.
"""

from datetime import UTC
from typing import Annotated, Generic, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveInt,
    StringConstraints,
    ValidationError,
)
from pydantic.alias_generators import to_camel

from bot.domain.ports import SourceError

Node = TypeVar("Node")
Model = TypeVar("Model", bound=BaseModel)
Moment = Annotated[AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC))]
Sha = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}([0-9a-f]{24})?$")]


def read(model: type[Model], raw: object) -> Model:
    """Raises SourceError where GitHub's answer has another shape than its schema."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        places = sorted({".".join(map(str, fault["loc"])) for fault in error.errors(include_input=False)})
        raise SourceError(f"GitHub's answer is no {model.__name__}: look at {', '.join(places[:3])}") from None


class Foreign(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True, frozen=True)


class GraphQL(Foreign):
    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, validate_by_alias=True)


class PageInfo(GraphQL):
    has_next_page: bool = False
    end_cursor: str | None = None

    def after(self, previous: str | None) -> str:
        """The cursor of the next page; an endless list is an error."""
        if self.end_cursor is None or self.end_cursor == previous:
            raise SourceError("GitHub announces a next page but does not say where it is")
        return self.end_cursor


class Connection(GraphQL, Generic[Node]):
    """A list of GitHub's; entries it could not make are null."""

    page_info: PageInfo = PageInfo()
    nodes: list[Node | None] | None = None

    @property
    def items(self) -> list[Node]:
        return [node for node in self.nodes or [] if node is not None]

    def joined(self, more: Self | None) -> Self:
        """With the entries of its next page."""
        if more is None:
            raise SourceError("GitHub announces a next page but does not show it")
        more.page_info.after(self.page_info.end_cursor)
        return self.model_copy(update={"page_info": more.page_info, "nodes": [*self.items, *more.items]})


class AccountNode(GraphQL):
    typename: str = Field(alias="__typename")
    id: str
    login: str


class FileNode(GraphQL):
    path: str = Field(repr=False)
    additions: NonNegativeInt
    deletions: NonNegativeInt


class GitActorNode(GraphQL):
    user: AccountNode | None = None


class Count(GraphQL):
    total_count: NonNegativeInt


class HeadNode(GraphQL):
    """A commit by its SHA. Only a merge has several parents."""

    oid: Sha | None = None
    parents: Count = Count(total_count=1)


class CommitNode(HeadNode):
    authored_date: Moment
    message: str = Field(repr=False)
    authors: Connection[GitActorNode]


class PullCommitNode(GraphQL):
    commit: CommitNode


class ReviewNode(GraphQL):
    state: str
    submitted_at: Moment | None = None
    author: AccountNode | None = None


class EventNode(GraphQL):
    typename: str = Field(alias="__typename")
    created_at: Moment


class BranchEventNode(EventNode):
    """It was closed or opened again, or its branch was force-pushed; `before_commit` was the last one of it then."""

    before_commit: HeadNode | None = None


class RefNode(GraphQL):
    name: str


class RepositoryNode(GraphQL):
    name_with_owner: str


class PullNode(GraphQL):
    id: str
    number: PositiveInt
    state: Literal["OPEN", "MERGED", "CLOSED"]
    is_draft: bool
    title: str = Field(repr=False)
    body: str = Field(repr=False)
    created_at: Moment
    updated_at: Moment
    merged_at: Moment | None = None
    closed_at: Moment | None = None
    base_ref_name: str
    head_ref_name: str
    head_repository: RepositoryNode | None = None
    author: AccountNode | None = None
    assignees: Connection[AccountNode]
    draft_events: Connection[EventNode]
    branch_events: Connection[BranchEventNode] = Connection[BranchEventNode]()
    reviews: Connection[ReviewNode] | None = None
    files: Connection[FileNode] | None = None
    commits: Connection[PullCommitNode] | None = None


class MoreNode(GraphQL):
    """Further pages of one pull request's lists."""

    reviews: Connection[ReviewNode] | None = None
    files: Connection[FileNode] | None = None
    commits: Connection[PullCommitNode] | None = None


class RestAccount(Foreign):
    login: str
    node_id: str
    type: str = "User"


class RestSignature(Foreign):
    date: Moment


class RestCommitText(Foreign):
    author: RestSignature
    message: str = Field(repr=False)


class RestParent(Foreign):
    sha: str


class RestCommit(Foreign):
    """An entry of `GET /repos/{owner}/{repo}/pulls/{number}/commits`: one account, co-authors only in the message."""

    sha: Sha
    parents: list[RestParent] = []
    commit: RestCommitText
    author: RestAccount | None = None


class RestFile(Foreign):
    """An entry of `GET /repos/{owner}/{repo}/pulls/{number}/files`."""

    path: str = Field(alias="filename", repr=False)
    additions: NonNegativeInt
    deletions: NonNegativeInt


class RestRepository(Foreign):
    full_name: str


class RestBase(Foreign):
    repo: RestRepository


class RestPull(Foreign):
    """An entry of `GET /repos/{owner}/{repo}/commits/{sha}/pulls`."""

    number: PositiveInt
    merged_at: Moment | None = None
    merge_commit_sha: str | None = None
    base: RestBase

    def merged(self, sha: str, repository: str) -> bool:
        """Whether this commit, which may be abbreviated, is the one that brought it into this repository."""
        here = self.base.repo.full_name.lower() == repository.lower()
        return here and self.merged_at is not None and (self.merge_commit_sha or "").startswith(sha)
