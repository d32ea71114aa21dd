"""Who is who on GitHub."""

from bot.domain.model import GitHubUser
from integrations.outcomes.github.models import AccountNode


def account(node: AccountNode | None) -> GitHubUser | None:
    """None for a deleted account and for a mannequin, the placeholder an import leaves where nobody was matched."""
    if node is None or node.typename == "Mannequin":
        return None
    return GitHubUser(node.id, node.login, is_bot=node.typename == "Bot")
