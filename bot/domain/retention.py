"""How long what is kept: the lifetimes that the consent text promises (docs/privacy.md, "What is kept")."""

from datetime import timedelta

RAW = timedelta(days=35)
"""A person's spend by day and model. Nothing older is taken from a report again either."""

RECOGNISED = timedelta(weeks=13)
"""What blocks recognised of a person's spend, and for which pull request."""

OPEN_WORK = timedelta(days=400)
PUBLIC = timedelta(days=400)
CONSENT_LOG = timedelta(days=3 * 365)
"""After the person has withdrawn everything."""
