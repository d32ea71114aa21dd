"""The GitHub face: what GitHub sends us. What we write there goes through `Commenter`, which `bot.app` picks."""
