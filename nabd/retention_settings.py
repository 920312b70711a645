"""Settings of how long things are kept, in days; docs/retention.md says what each class holds."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings


class RetentionSettings(BaseSettings):
    """After how many days what grows is removed. What is made of it, sums and heads, stays."""

    keep_rejections_days: int = Field(
        default=90, ge=1, description="how long rejected messages are kept, in days; counts of them stay"
    )
    keep_ledger_days: int = Field(
        default=400, ge=31, description="how long the ledger is kept batch by batch, in days; then day by day"
    )
    keep_commands_days: int = Field(
        default=400, ge=1, description="how long commands and their answers are kept, in days"
    )
    keep_notifications_days: int = Field(
        default=400, ge=31, description="how long it is kept who was told what, in days"
    )
    keep_alerts_days: int = Field(
        default=1826,
        ge=90,
        description="how long alerts are kept after their end, in days; counts of them stay",
    )
    keep_audit_days: int = Field(
        default=3653,
        ge=62,
        description="how long the audit is kept, in days, by whole months; its heads stay",
    )
