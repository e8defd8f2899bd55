-- read_binding_epoch
-- $1 date  epochs behind this one
SELECT min(epoch) AS epoch FROM view_bindings WHERE epoch > $1
