{{/*
Up at once: four pods or twice as many every 15 seconds. Down slowly: at most half of them or two a minute, the fewer of both,
and only after five quiet minutes. Memory is a quantity: a percentage would be taken of the request, which a warm process
exceeds at rest, and each new replica would only confirm the alarm until all of them run.
*/}}
{{- define "workload.autoscaling" -}}
{{- $scale := mergeOverwrite (deepCopy .in.Values.global.autoscaling) (.in.Values.autoscaling | default dict) -}}
{{- if gt (int $scale.minReplicas) (int $scale.maxReplicas) -}}
{{- fail (printf "%s.autoscaling: minReplicas %v is more than maxReplicas %v" .name $scale.minReplicas $scale.maxReplicas) -}}
{{- end -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ .name }}
  namespace: {{ .in.Release.Namespace }}
  labels: {{- include "labels.object" . | nindent 4 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ .name }}
  minReplicas: {{ $scale.minReplicas }}
  maxReplicas: {{ $scale.maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target: {{- include "workload.scalingTarget" $scale.cpu | nindent 10 }}
    - type: Resource
      resource:
        name: memory
        target: {{- include "workload.scalingTarget" $scale.memory | nindent 10 }}
  behavior:
    scaleUp:
      stabilizationWindowSeconds: 0
      selectPolicy: Max
      policies:
        - type: Percent
          value: 100
          periodSeconds: 15
        - type: Pods
          value: 4
          periodSeconds: 15
    scaleDown:
      stabilizationWindowSeconds: 300
      selectPolicy: Min
      policies:
        - type: Percent
          value: 50
          periodSeconds: 60
        - type: Pods
          value: 2
          periodSeconds: 60
{{- end }}

{{/* `70%` is a share of the request, `70m` or `410Mi` an average for each pod. */}}
{{- define "workload.scalingTarget" -}}
{{- if hasSuffix "%" . -}}
type: Utilization
averageUtilization: {{ trimSuffix "%" . }}
{{- else -}}
type: AverageValue
averageValue: {{ . }}
{{- end }}
{{- end }}
