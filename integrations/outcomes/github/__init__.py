"""GitHub: pull requests and teams."""

from integrations.outcomes.github.installations import READ
from integrations.outcomes.github.outcomes import GitHubOutcomes

__all__ = ["READ", "GitHubOutcomes"]
