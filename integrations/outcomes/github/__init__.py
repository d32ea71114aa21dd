"""GitHub: pull requests, teams, and our comments."""

from integrations.outcomes.github.comments import GitHubComments
from integrations.outcomes.github.installations import READ
from integrations.outcomes.github.outcomes import GitHubOutcomes

__all__ = ["READ", "GitHubComments", "GitHubOutcomes"]
