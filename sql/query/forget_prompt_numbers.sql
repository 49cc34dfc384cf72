-- Numbers are given anew, since prompts may have changed theirs with each other: $1 account.
UPDATE prompts SET number = NULL WHERE account_id = $1
