"""What an owner and `leverage doctor` are told about a digest that needs a person: what happened, and what to do."""

from datetime import date

from bot.domain.delivery import Kind, State, team_and_week

ABOUT_SOURCE = "note/source/"
ANOTHER = "name another channel in leverage.toml"
ADVICE = {
    "channel_not_found": f"invite the app to it (private channels are invisible to it before), or {ANOTHER}",
    "is_archived": f"unarchive the channel, or {ANOTHER}",
    "missing_scope": "add the scope on the app's page at api.slack.com (OAuth & Permissions) and install it again",
    "not_in_channel": "invite the app to the channel",
    "restricted_action": f"let the app post in that channel (its posting permissions), or {ANOTHER}",
    "shared_with_another_company": f"digests stay inside the company: {ANOTHER}",
}
OFF = "Slack does not take the bot token any more ({reason}): install the app again, set SLACK_BOT_TOKEN and restart."


def say(key: str, state: State, target: str, reason: str | None) -> str:
    """One thing to know about one delivery, in plain text."""
    team, week = team_and_week(key)
    if state is State.UNKNOWN:
        return (
            f"Whether the digest of {team} for {week} is in its channel ({target}) is not known: Slack's answer was "
            "lost. Please look. It is not posted again by itself, so that there is never a second one."
        )
    if state is State.SKIPPED:
        return f"The digest of {team} for {week} was not posted: {reason}. {_ask(team, week)}"
    return (
        f"The digest of {team} for {week} could not be posted in its channel ({target}): {reason or 'no reason given'}."
        f"{_advice(reason)} {_ask(team, week)}"
    )


def say_of_post(key: str, state: State, target: str, reason: str | None) -> str:
    """What became of a digest that a person asked to post now."""
    team, week = team_and_week(key)
    match state:
        case State.SENT:
            return f"The digest of {team} for {week} is in its channel ({target})."
        case State.UNKNOWN | State.FAILED | State.SKIPPED:
            return say(key, state, target, reason)
        case _:
            return f"The digest of {team} for {week} is being posted or waits for Slack: look again in a minute."


def source_key(source: str, owner: str, day: date) -> str:
    return f"{ABOUT_SOURCE}{source}/{owner}/{day}"


def say_of_source(source: str, title: str, error: str) -> str:
    """That a source refused its key, and nothing of it is read until somebody acts."""
    return (
        f"Leverage cannot read what was spent with {title}, and has stopped trying: {error.rstrip('.')}. "
        f"Put that right, then run `leverage collect {source}`; until then its last numbers stay."
    )


def say_of_note(key: str, reason: str | None) -> str:
    if key.startswith(ABOUT_SOURCE):
        source, owner, _ = key.removeprefix(ABOUT_SOURCE).split("/")
        return f"The private note to {owner} about {source} could not be sent: {reason}. `leverage doctor` says it too."
    team, week = team_and_week(key)
    return f"The private note to the owner of {team} about {week} could not be sent: {reason}. Check `owner` there."


def say_of_copy(target: str, reason: str | None) -> str:
    return f"A second copy of a digest could not be taken back from its channel ({target}): {reason}. Please delete it."


def problem(kind: Kind, key: str, state: State, target: str, reason: str | None) -> str:
    match kind:
        case Kind.DIGEST:
            return say(key, state, target, reason)
        case Kind.NOTE:
            return say_of_note(key, reason)
        case Kind.DELETE:
            return say_of_copy(target, reason)


def _advice(reason: str | None) -> str:
    code = (reason or "").split(" ")[0]
    found = next((advice for name, advice in ADVICE.items() if code.startswith(name)), None)
    return f" What helps: {found}." if found else ""


def _ask(team: str, week: str) -> str:
    return f"`leverage digest {team} --week {week} --post` posts it."
