;; Emacs 29 or newer: put this in init.el. Eglot speaks to one server a buffer; M-x eglot starts it.
(with-eval-after-load 'eglot
  (add-to-list 'eglot-server-programs
               '((python-mode python-ts-mode) . ("awaitest" "server"))))
