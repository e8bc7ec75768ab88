{{/* What can't work, each in one sentence with the fix. */}}
{{- define "ibpe.check" -}}
{{- $_ := required "clusterName is required: give this cluster a name that it keeps when it is rebuilt, such as --set clusterName=prod-eu; it goes into a tag on everything that is made" .Values.clusterName }}
{{- include "ibpe.check.election" . }}
{{- include "ibpe.check.metrics" . }}
{{- include "ibpe.check.accounts" . }}
{{- include "ibpe.check.environment" . }}
{{- include "ibpe.check.others" . }}
{{- if ge (float64 .Values.shutdownSeconds) (float64 .Values.terminationGracePeriodSeconds) }}
{{- fail "shutdownSeconds must be less than terminationGracePeriodSeconds: the kubelet would kill the pod in the midst of its work" }}
{{- end }}
{{- if and .Values.serviceAccount.annotations (not .Values.serviceAccount.create) }}
{{- fail "serviceAccount.annotations are for a ServiceAccount that the chart makes: annotate yours yourself, or set serviceAccount.create to true" }}
{{- end }}
{{- end }}

{{- define "ibpe.check.election" -}}
{{- with .Values.leaderElection }}
{{- if and (not .enabled) (gt (int $.Values.replicaCount) 1) }}
{{- fail (printf "replicaCount is %d with leaderElection.enabled false: all would work at once; turn leaderElection on, or set replicaCount to 1" (int $.Values.replicaCount)) }}
{{- end }}
{{- if not (and (lt (float64 .retrySeconds) (float64 .renewDeadlineSeconds)) (le (addf (float64 .renewDeadlineSeconds) 5) (float64 .leaseDurationSeconds))) }}
{{- fail "leaderElection: retrySeconds must be less than renewDeadlineSeconds, and that less than leaseDurationSeconds by 5 or more: a leader must have ended before another begins" }}
{{- end }}
{{- $attempt := min (divf (float64 .renewDeadlineSeconds) 2 | mulf 1000 | int) (subf (float64 .leaseDurationSeconds) (float64 .renewDeadlineSeconds) | mulf 1000 | int) }}
{{- if gt (addf (mulf (float64 .retrySeconds) 2000) (float64 $attempt)) (mulf (float64 .renewDeadlineSeconds) 1000) }}
{{- fail "leaderElection.retrySeconds is too long for renewDeadlineSeconds: one renewal that hangs must leave time for another; a fifth of it is usual" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "ibpe.check.metrics" -}}
{{- with .Values.metrics }}
{{- if and .serviceMonitor.enabled .podMonitor.enabled }}
{{- fail "metrics.serviceMonitor.enabled and metrics.podMonitor.enabled are both true: everything would be counted twice; choose one" }}
{{- end }}
{{- if and (not .enabled) (or .serviceMonitor.enabled .podMonitor.enabled) }}
{{- fail "metrics.enabled is false, and there is nothing to scrape: set it to true, or turn the ServiceMonitor and the PodMonitor off" }}
{{- end }}
{{- if and (not .enabled) .prometheusRule.enabled }}
{{- fail "metrics.enabled is false, and the alerts of metrics.prometheusRule would say that the operator is absent: set it to true, or turn them off" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "ibpe.check.accounts" -}}
{{- with .Values.accounts }}
{{- if not .grants }}
{{- fail "accounts.grants is empty, so no namespace may use any account: grant some, such as {namespaces: [\"*\"], accounts: [own]}, or leave accounts out" }}
{{- end }}
{{- $known := list "own" }}
{{- range .accounts }}
{{- if has .name $known }}
{{- fail (printf "accounts.accounts names %s twice, or as the operator's own account: give each account another name" .name) }}
{{- end }}
{{- $known = append $known .name }}
{{- end }}
{{- range $number, $grant := .grants }}
{{- range $grant.accounts }}
{{- if not (has . $known) }}
{{- fail (printf "accounts.grants[%d] names the account %s, which is not in accounts.accounts: add it there, or name one of %s" $number . (join ", " $known)) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "ibpe.check.environment" -}}
{{- $ours := include "ibpe.environment" . | fromYaml }}
{{- range $given := .Values.extraEnv }}
{{- with get $ours $given.name }}
{{- fail (printf "extraEnv names %s, which the chart sets from %s: set that, and take the variable out" $given.name .from) }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Another release, or another tool's operator, that serves what this one would serve: whose resources they were, both would
make, change and delete. Its Deployment says what it serves. Who may not install for the whole cluster sees the release's
own namespace alone.
*/}}
{{- define "ibpe.check.others" -}}
{{- $ours := .Values.watchNamespaces | default list }}
{{- $everywhere := or .Values.crds.enabled (not $ours) }}
{{- $live := lookup "apps/v1" "Deployment" (ternary "" .Release.Namespace $everywhere) "" }}
{{- range dig "items" list $live }}
{{- $labels := .metadata.labels | default dict }}
{{- $annotations := .metadata.annotations | default dict }}
{{- $own := and (eq .metadata.namespace $.Release.Namespace) (eq (get $labels "app.kubernetes.io/instance") $.Release.Name) }}
{{- if and (hasKey $annotations "ibpe.dev/serves") (not $own) (gt (int .spec.replicas) 0) }}
{{- $theirs := get $annotations "ibpe.dev/serves" | splitList "," | compact }}
{{- $shared := list }}
{{- range $ours }}
{{- if has . $theirs }}{{- $shared = append $shared . }}{{- end }}
{{- end }}
{{- if or (not $ours) (not $theirs) $shared }}
{{- $what := join ", " (default (default $theirs $ours) $shared) | default "all namespaces" }}
{{- fail (printf "the Deployment %s in namespace %s serves %s already, and two operators would undo each other's work: uninstall that one or scale it to 0, or set watchNamespaces to others than it has" .metadata.name .metadata.namespace $what) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
