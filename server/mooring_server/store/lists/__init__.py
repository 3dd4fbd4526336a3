"""Pages of lists: filters, search, orders, and the bound on what a page looks at."""
