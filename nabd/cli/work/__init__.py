"""Commands about work of people on devices: orders, deadlines, plans, figures, reports."""
