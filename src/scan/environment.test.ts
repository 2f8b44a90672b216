import { describe, expect, it } from '@jest/globals'
import { fetcherEnvironment, scannerEnvironment } from './environment.ts'

const ours = {
  PATH: '/bin',
  HOME: '/home/ann',
  AWS_SECRET_ACCESS_KEY: 'a',
  GITHUB_TOKEN: 'b',
  TODO_DEPLOY_SIGNING_KEY: 'c',
  DOCKER_CONFIG: '/d',
  HTTPS_PROXY: 'http://ann:e@proxy:3128',
}

describe('the environment of a scanner', () => {
  it('has what it needs to run, and no secret of ours', () => {
    const seen = scannerEnvironment(ours)
    expect(seen).toMatchObject({ PATH: '/bin', HOME: '/home/ann' })
    expect(Object.values(seen)).not.toContain('http://ann:e@proxy:3128')
    expect(Object.keys(seen).filter((name) => /SECRET|TOKEN|KEY|DOCKER/.test(name))).toEqual([])
  })

  it('knows the proxy only where something is fetched', () => {
    expect(fetcherEnvironment(ours)).toEqual({
      ...scannerEnvironment(ours),
      HTTPS_PROXY: 'http://ann:e@proxy:3128',
    })
  })
})
