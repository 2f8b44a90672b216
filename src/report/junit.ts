import type { Verdict } from '../verify/verify.ts'

/** A verdict as JUnit XML, the form test viewers read. Inconclusive checks are errors, not skips. */
export function junit(verdict: Verdict): string {
  const { checks, environment, seconds } = verdict
  const failures = checks.filter(({ status }) => status === 'fail').length
  const errors = checks.filter(({ status }) => status === 'inconclusive').length
  const cases = checks.map(({ check, name, status, detail, seconds: took }) => {
    const head = `    <testcase classname="${escapeXml(check)}" name="${escapeXml(name)}" time="${took.toFixed(3)}"`
    if (status === 'pass') return `${head}/>`
    const tag = status === 'fail' ? 'failure' : 'error'
    return `${head}><${tag} message="${escapeXml(detail)}"/></testcase>`
  })
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites>',
    `  <testsuite name="verify ${escapeXml(environment)}" tests="${checks.length}" failures="${failures}" errors="${errors}" time="${seconds.toFixed(3)}">`,
    ...cases,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n')
}

function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replace(/[^\t\n\r\x20-\uFFFD]/g, '')
}
