"""The routes, one file per noun. Handlers translate between HTTP and the layers below; they do not decide."""
