// Placeholder until the target's first commit.
