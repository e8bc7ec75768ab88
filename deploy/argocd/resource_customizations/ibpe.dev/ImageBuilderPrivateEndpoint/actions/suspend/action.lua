-- From now on nothing is written to AWS; status.plan shows what waits.

obj.spec.suspend = true

return obj
