-- The versions of decks that are in force at a time, or will be: $1 time, $2 time.
SELECT v.id
FROM deck_versions v
WHERE v.complete
    AND NOT EXISTS (
        SELECT 1
        FROM deck_versions later
        WHERE later.deck_id = v.deck_id
            AND later.complete
            AND v.effective_at <= $1
            AND later.effective_at <= $2
            AND (later.effective_at > v.effective_at OR later.effective_at = v.effective_at AND later.id > v.id)
    )
ORDER BY v.id
