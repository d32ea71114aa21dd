"""Which account's figure a measured request is a part of."""

import pytest

from bot.domain.measured import account_of, is_measured_only


@pytest.mark.parametrize(
    ("agent", "model", "accounts", "account"),
    [
        ("claude_code", "claude-opus-5-5", ["anthropic", "openai"], "anthropic"),
        ("claude_code", "anthropic/claude-opus-5-5", ["anthropic"], "anthropic"),
        ("opencode", "claude-opus-5-5", ["anthropic"], "anthropic"),
        ("claude_code", "claude-opus-5-5", ["litellm:anthropic"], "litellm:anthropic"),
        ("claude_code", "claude-opus-5-5", ["anthropic", "litellm:anthropic"], "anthropic"),
        ("claude_code", "claude-opus-5-5", ["cursor", "openai"], "agent:claude_code"),
        ("codex", "gpt-5.2-codex", ["openai", "codex"], "codex"),
        ("codex", "gpt-5.2-codex", ["openai"], "openai"),
        ("codex", "o4-mini", ["openai"], "openai"),
        ("opencode", "opus-of-somebody", ["openai"], "agent:opencode"),
        ("gemini_cli", "gemini-2.5-pro", ["anthropic", "openai"], "agent:gemini_cli"),
        ("gemini_cli", "gemini-2.5-pro", ["openrouter"], "openrouter"),
        ("cursor", "claude-opus-5-5", ["anthropic", "cursor"], "cursor"),
        ("cursor", "claude-opus-5-5", ["anthropic"], "agent:cursor"),
        ("copilot", "gpt-4.1", ["openai", "copilot"], "copilot"),
        ("claude_code", "claude-opus-5-5", [], "agent:claude_code"),
    ],
)
def test_a_request_is_a_part_of_what_its_models_vendor_or_a_gateway_tells_of_that_day(agent, model, accounts, account):
    assert account_of(agent, model, accounts) == account
    assert is_measured_only(account) is account.startswith("agent:")
