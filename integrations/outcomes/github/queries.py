"""The questions put to GitHub's GraphQL API (schema read from @octokit/graphql-schema 15.26.1, November 2026).

What a page of 100 pull requests may weigh, by GitHub's own formulas (docs.github.com, "Rate limits and query limits
for the GraphQL API"; a test computes both from the text below):
- nodes: 100 pull requests, each with 100 files, 50 commits with 10 authors each, 100 reviews, 10 assignees, 1 event of
  its drafts and 100 of its branch = 86,200 of the 500,000 allowed;
- points: 1 + 100 x 6 connections + 100 x 50 author lists = 5,601 requests, divided by 100 = 56 of the 5,000 an hour.
  That is why commits come by 50: by 100 a page would cost 106 points, and few pull requests have more than 50.
  A list of which only the length is asked (`parents`) costs nothing.
Without commits (see `reader.py`) a page costs 6 points. With them goes what takes the same right to see.
"""

from collections.abc import Sequence

FRAGMENTS = """
fragment Account on Actor { __typename login ... on Node { id } }
fragment Files on PullRequestChangedFileConnection {
  pageInfo { hasNextPage endCursor }
  nodes { path additions deletions }
}
fragment Reviews on PullRequestReviewConnection {
  pageInfo { hasNextPage endCursor }
  nodes { state submittedAt author { ...Account } }
}
fragment Commits on PullRequestCommitConnection {
  pageInfo { hasNextPage endCursor }
  nodes {
    commit {
      oid authoredDate message
      parents { totalCount }
      authors(first: 10) { nodes { user { __typename login id } } }
    }
  }
}
"""

PULL = """
fragment Pull on PullRequest {
  id number state isDraft title body
  createdAt updatedAt mergedAt closedAt
  baseRefName headRefName
  headRepository { nameWithOwner }
  author { ...Account }
  assignees(first: 10) { nodes { __typename login id } }
  draftEvents: timelineItems(first: 1, itemTypes: [READY_FOR_REVIEW_EVENT, CONVERT_TO_DRAFT_EVENT]) {
    nodes { __typename ... on ReadyForReviewEvent { createdAt } ... on ConvertToDraftEvent { createdAt } }
  }
  branchEvents: timelineItems(last: 100, itemTypes: [CLOSED_EVENT, REOPENED_EVENT, HEAD_REF_FORCE_PUSHED_EVENT]) {
    nodes {
      __typename
      ... on ClosedEvent { createdAt }
      ... on ReopenedEvent { createdAt }
      ... on HeadRefForcePushedEvent { createdAt beforeCommit @include(if: $commits) { oid parents { totalCount } } }
    }
  }
  reviews(first: 100) { ...Reviews }
  files(first: 100) @include(if: $files) { ...Files }
  commits(first: 50) @include(if: $commits) { ...Commits }
}
"""

PULL_REQUESTS = (
    """
query PullRequests(
  $owner: String!, $name: String!, $size: Int!, $after: String, $files: Boolean!, $commits: Boolean!
) {
  repository(owner: $owner, name: $name) {
    id
    nameWithOwner
    defaultBranchRef @include(if: $commits) { name }
    pullRequests(first: $size, after: $after, orderBy: {field: UPDATED_AT, direction: DESC}) {
      totalCount
      pageInfo { hasNextPage endCursor }
      nodes { ...Pull }
    }
  }
}
"""
    + PULL
    + FRAGMENTS
)

PULL_REQUEST = (
    """
query PullRequest($owner: String!, $name: String!, $number: Int!, $files: Boolean!, $commits: Boolean!) {
  repository(owner: $owner, name: $name) {
    id
    nameWithOwner
    isPrivate
    defaultBranchRef @include(if: $commits) { name }
    pullRequest(number: $number) { ...Pull }
  }
}
"""
    + PULL
    + FRAGMENTS
)

MORE = (
    """
query More(
  $id: ID!, $files: Boolean!, $filesAfter: String, $commits: Boolean!, $commitsAfter: String,
  $reviews: Boolean!, $reviewsAfter: String
) {
  node(id: $id) {
    ... on PullRequest {
      files(first: 100, after: $filesAfter) @include(if: $files) { ...Files }
      commits(first: 50, after: $commitsAfter) @include(if: $commits) { ...Commits }
      reviews(first: 100, after: $reviewsAfter) @include(if: $reviews) { ...Reviews }
    }
  }
}
"""
    + FRAGMENTS
)


def users(logins: Sequence[str]) -> tuple[str, dict[str, str]]:
    """The question for the accounts behind some logins, each under its own alias `u0`, `u1`, ..., and its variables."""
    names = [f"u{number}" for number in range(len(logins))]
    heading = ", ".join(f"${name}: String!" for name in names)
    fields = "\n".join(f"  {name}: user(login: ${name}) {{ __typename login id }}" for name in names)
    return f"query Users({heading}) {{\n{fields}\n}}\n", dict(zip(names, logins, strict=True))
