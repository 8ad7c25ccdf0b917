"""Decisions: what coordinators merged, split, pinned, dismissed or overruled, and what teams protect."""

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the step."""


def downgrade() -> None:
    """Take the step back."""
