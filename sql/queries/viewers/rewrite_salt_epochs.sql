-- rewrite_salt_epochs
-- A plain vacuum only forgets where removed rows were: their bytes stay in the page until something is written over them.
VACUUM (FULL) salt_epochs
