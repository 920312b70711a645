"""What people are told other than alerts: work that concerns them, and reports that they subscribed to.

`outbox` plans and sends them. `subscriptions` says who gets which report; `writing` writes a planned message
when it is sent, by `work_news`, `weekly` and `audit_heads`.
"""
