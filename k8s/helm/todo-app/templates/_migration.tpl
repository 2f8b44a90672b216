{{- define "migration.facts" -}}
name: database-migrate
component: migration
image: database
secrets: [DATABASE_URL]
{{- end }}

{{- define "migration.job" -}}
backoffLimit: 2
activeDeadlineSeconds: {{ .in.Values.migration.activeDeadlineSeconds }}
template:
  metadata:
    labels: {{- include "labels.pod" . | nindent 6 }}
  spec:
    restartPolicy: Never
    {{- include "pod.settings" (merge (dict "grace" 30) .) | nindent 4 }}
    {{- include "pod.preloadSecrets" . | nindent 4 }}
    containers:
      - name: migrate
        image: {{ include "names.image" (dict "name" "database" "in" .in) }}
        command: [/usr/local/bin/migrate]
        env: {{- include "pod.secretPaths" . | nindent 10 }}
        {{- include "pod.resources" (dict "in" .in "own" .in.Values.migration.resources) | nindent 8 }}
        {{- include "pod.containerSecurity" . | nindent 8 }}
        volumeMounts:
          - name: tmp
            mountPath: /tmp
          {{- include "pod.secretMount" . | nindent 10 }}
    volumes:
      - name: tmp
        emptyDir:
          sizeLimit: 64Mi
      {{- include "pod.secretVolumes" . | nindent 6 }}
{{- end }}
