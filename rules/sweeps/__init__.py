"""Rules that look across devices or at absence, on a timer by one leader. No reading passes through here."""
