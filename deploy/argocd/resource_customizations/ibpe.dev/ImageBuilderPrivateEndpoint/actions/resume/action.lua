-- What waits in status.plan is carried out.

obj.spec.suspend = false

return obj
