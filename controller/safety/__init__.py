"""The second program: limits, interlock and ledger, asked before every pulse."""
