"""GitHub's answers as they arrive: checked here, turned into our own values in `parse.py`, never kept.

Unknown fields are welcome. Nothing here prints what people wrote: no input in errors, no text in `repr`.
"""

from typing import Generic, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt
from pydantic.alias_generators import to_camel

Node = TypeVar("Node")


class Foreign(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True, frozen=True)


class GraphQL(Foreign):
    model_config = ConfigDict(alias_generator=to_camel)


class PageInfo(GraphQL):
    has_next_page: bool = False
    end_cursor: str | None = None


class Connection(GraphQL, Generic[Node]):
    """A list of GitHub's; entries it could not make are null."""

    page_info: PageInfo = PageInfo()
    nodes: list[Node | None] = []

    @property
    def items(self) -> list[Node]:
        return [node for node in self.nodes if node is not None]


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


class CommitNode(GraphQL):
    authored_date: AwareDatetime
    message: str = Field(repr=False)
    authors: Connection[GitActorNode]


class PullCommitNode(GraphQL):
    commit: CommitNode


class ReviewNode(GraphQL):
    state: str
    submitted_at: AwareDatetime | None = None
    author: AccountNode | None = None


class EventNode(GraphQL):
    typename: str = Field(alias="__typename")
    created_at: AwareDatetime


class PullNode(GraphQL):
    id: str
    number: PositiveInt
    state: Literal["OPEN", "MERGED", "CLOSED"]
    is_draft: bool
    title: str = Field(repr=False)
    body: str = Field(repr=False)
    created_at: AwareDatetime
    updated_at: AwareDatetime
    merged_at: AwareDatetime | None = None
    closed_at: AwareDatetime | None = None
    base_ref_name: str
    head_ref_name: str
    author: AccountNode | None = None
    assignees: Connection[AccountNode]
    draft_events: Connection[EventNode]
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
    date: AwareDatetime


class RestCommitText(Foreign):
    author: RestSignature
    message: str = Field(repr=False)


class RestCommit(Foreign):
    """An entry of `GET /repos/{owner}/{repo}/pulls/{number}/commits`: one account, co-authors only in the message."""

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
    merged_at: AwareDatetime | None = None
    merge_commit_sha: str | None = None
    base: RestBase
