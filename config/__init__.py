"""How Onsale runs: settings, servers, tiers."""
