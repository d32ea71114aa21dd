"""Who stands behind a pull request that a coding agent opened."""

from collections.abc import Iterable

from bot.domain.model import GitHubUser
from integrations.outcomes.github.commits import Commit

AGENTS = frozenset(
    {
        "amazon-q-developer",
        "anthropic-claude",
        "chatgpt-codex-connector",
        "claude",
        "claude-code-action",
        "cline",
        "codex",
        "copilot",
        "copilot-swe-agent",
        "cursor",
        "devin-ai-integration",
        "factory-droid",
        "gemini-cli",
        "google-labs-jules",
        "openai-codex",
        "openhands-agent",
        "openhands-ai",
        "sweep-ai",
    }
)
"""Logins of bots that write code for a person who asked them to; every other bot works for nobody in particular."""


def owner(author: GitHubUser | None, commits: Iterable[Commit], assignees: Iterable[GitHubUser]) -> GitHubUser | None:
    """Who asked a coding agent for this: the person named in its first commit, else the first assignee.

    docs.github.com/en/copilot/concepts/agents/cloud-agent/risks-and-mitigations promises that Copilot names that
    person as co-author. Other bots work for nobody in particular, and people own their work themselves.
    """
    if author is None or not author.is_bot or author.login.lower() not in AGENTS:
        return None
    first = min(commits, key=lambda commit: commit.at, default=None)
    return next(iter((*(first.authors if first else ()), *assignees)), None)
