type Environment = Readonly<Record<string, string | undefined>>

/** Scanners read files of strangers: they get nothing of our environment but this. */
const KEPT = ['PATH', 'HOME', 'TMPDIR', 'XDG_CACHE_HOME']
/** For what fetches the database, too. The address of a proxy may hold a login, so that nothing else gets it. */
const KEPT_TO_FETCH = [
  ...['SSL_CERT_FILE', 'SSL_CERT_DIR'],
  ...['HTTPS_PROXY', 'https_proxy', 'NO_PROXY', 'no_proxy'],
]

/**
 * Go frees memory when a program has this much more than it needs, in percent. Scanners end within seconds and hardly free anything: with
 * Go's own 100 they spend a tenth of their time on looking for what they could free; with much more, as long on getting the memory.
 */
const GARBAGE_PERCENT = '200'

/** All that a scanner sees of the environment; it asks nobody for updates. */
export function scannerEnvironment(of: Environment): Readonly<Record<string, string>> {
  return {
    ...only(KEPT, of),
    GOGC: GARBAGE_PERCENT,
    SYFT_CHECK_FOR_APP_UPDATE: 'false',
    // Packages are what is matched, and where each was found. Which files belong to a package, with a digest of each, would be a quarter
    // of the time and four fifths of the SBOM.
    SYFT_FILE_METADATA_SELECTION: 'none',
    SYFT_RELATIONSHIPS_PACKAGE_FILE_OWNERSHIP: 'false',
    GRYPE_CHECK_FOR_APP_UPDATE: 'false',
    GRYPE_DB_AUTO_UPDATE: 'false',
  }
}

/** The same for the one call that fetches the database of vulnerabilities. */
export function fetcherEnvironment(of: Environment): Readonly<Record<string, string>> {
  return { ...scannerEnvironment(of), ...only(KEPT_TO_FETCH, of) }
}

function only(names: readonly string[], of: Environment): Readonly<Record<string, string>> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = of[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}
