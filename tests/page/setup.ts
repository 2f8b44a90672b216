import { ensureBrowser } from '../programs.ts'

/** The browser is there before the first test, also where these tests run alone. */
// eslint-disable-next-line import-x/no-default-export -- Jest asks for it
export default function setUp(): void {
  ensureBrowser((line) => {
    process.stdout.write(`${line}\n`)
  })
}
