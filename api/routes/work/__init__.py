"""Routes of work: orders, who has them, their steps and photos; deadlines and plans; figures and reports."""
