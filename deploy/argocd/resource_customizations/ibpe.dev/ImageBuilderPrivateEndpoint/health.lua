-- The health of an ImageBuilderPrivateEndpoint. Degraded fails a sync and Progressing waits, so Degraded is only what a
-- user must mend; Suspended would hold every later sync wave, so a suspended resource is Healthy and says that it is.
-- Needs no library: string, math, io and os are not there.

local function table_or_empty(value)
  if type(value) == "table" then
    return value
  end
  return {}
end

local metadata = table_or_empty(obj.metadata)
local spec = table_or_empty(obj.spec)
local status = table_or_empty(obj.status)

local conditions = {}
for _, condition in ipairs(table_or_empty(status.conditions)) do
  if type(condition) == "table" and condition.type ~= nil then
    conditions[condition.type] = condition
  end
end

local function is_true(name)
  return table_or_empty(conditions[name]).status == "True"
end

local function health(code, name, otherwise)
  local message = table_or_empty(conditions[name]).message
  if type(message) ~= "string" or message == "" then
    message = otherwise
  end
  return { status = code, message = message }
end

-- What the conditions say is about another generation of the spec, or nobody has looked yet.
if status.observedGeneration == nil or status.observedGeneration ~= metadata.generation then
  local message = "Waiting for the operator to see generation " .. tostring(metadata.generation) .. "."
  return { status = "Progressing", message = message }
end

if is_true("Stalled") then
  return health("Degraded", "Stalled", "A user must act: see the conditions.")
end
if is_true("Reconciling") then
  return health("Progressing", "Reconciling", "The operator is at work.")
end
if metadata.deletionTimestamp ~= nil then
  return { status = "Progressing", message = "Being deleted." }
end
if spec.suspend == true then
  return health("Healthy", "Ready", "Suspended.")
end
if is_true("Ready") then
  return health("Healthy", "Ready", "Ready.")
end
return health("Progressing", "Ready", "Not ready yet.")
