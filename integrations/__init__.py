"""What the bot knows of the world outside: who sells compute, who spends it, where outcomes show."""
