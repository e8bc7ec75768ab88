-- A new value of the annotation wakes the operator for this resource. Argo CD's os has time and date, nothing more.

local os = require("os")

if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["ibpe.dev/reconcile-requested-at"] = os.date("!%Y-%m-%dT%H:%M:%SZ")

return obj
