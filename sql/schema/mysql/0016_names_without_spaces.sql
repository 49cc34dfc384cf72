-- Tandem, directory: each syllable of a name that is written without spaces is a key now. The agents compute them anew where they are missing.

UPDATE mailboxes SET directory_name = NULL WHERE name NOT LIKE '% %';
