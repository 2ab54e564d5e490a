-- Neovim 0.11 or newer: put this in init.lua.
vim.lsp.config("awaitest", {
  cmd = { "awaitest", "server" },
  filetypes = { "python" },
  root_markers = { "pytest.toml", ".pytest.toml", "pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg", ".git" },
  settings = { awaitest = {} },
})
vim.lsp.enable("awaitest")
