import type { NextConfig } from 'next'

// Next.js writes its hydration data as inline scripts, so 'unsafe-inline' is needed for scripts of
// this origin; nothing is loaded from anywhere else, and no other site may frame the application.
const POLICY = [
  "default-src 'self'",
  `script-src 'self' 'unsafe-inline'${process.env.NODE_ENV === 'development' ? " 'unsafe-eval'" : ''}`,
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

// FRONTEND_OUTPUT=export makes files for a web server that passes /api/* on by itself: without route
// handlers, and with the pages and layouts that say so in their names.
const isExport = process.env.FRONTEND_OUTPUT === 'export'

const config: NextConfig = {
  ...(isExport
    ? { output: 'export', pageExtensions: ['static.tsx'] }
    : { output: 'standalone', headers: describeHeaders }),
  poweredByHeader: false,
  // No image is transformed, so the native image library stays out of the container.
  images: { unoptimized: true },
  outputFileTracingExcludes: { '*': ['node_modules/sharp/**', 'node_modules/@img/**'] },
  // The folder above may have a package.json of its own, which is none of ours.
  outputFileTracingRoot: import.meta.dirname,
  turbopack: { root: import.meta.dirname },
}

function describeHeaders(): ReturnType<NonNullable<NextConfig['headers']>> {
  return Promise.resolve([
    {
      source: '/:path*',
      headers: [
        { key: 'Content-Security-Policy', value: POLICY },
        { key: 'X-Content-Type-Options', value: 'nosniff' },
        { key: 'Referrer-Policy', value: 'same-origin' },
      ],
    },
  ])
}

export default config
