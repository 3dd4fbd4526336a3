# Evidence is pytest now: see conftest.py beside this file. This file goes.
