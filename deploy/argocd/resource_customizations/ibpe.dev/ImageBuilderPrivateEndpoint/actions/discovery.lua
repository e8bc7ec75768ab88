-- What a person may do to an ImageBuilderPrivateEndpoint in Argo CD.

local suspended = obj.spec ~= nil and obj.spec.suspend == true

return {
  reconcile = { displayName = "Reconcile now", iconClass = "fa fa-fw fa-sync", disabled = false },
  suspend = { displayName = "Suspend", iconClass = "fa fa-fw fa-pause", disabled = suspended },
  resume = { displayName = "Resume", iconClass = "fa fa-fw fa-play", disabled = not suspended },
}
