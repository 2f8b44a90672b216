import { describe, expect, it } from '@jest/globals'
import { link, markup, nothing } from './markup.ts'

describe('markup', () => {
  it('takes no text for markup, wherever it stands', () => {
    const text = `"><script>alert('1')</script>&amp;`
    const { html } = markup`<p title="${text}">${text}</p>`
    const safe = '&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;amp;'
    expect(html).toBe(`<p title="${safe}">${safe}</p>`)
  })

  it('keeps pieces that it made itself, lists of them and numbers', () => {
    const items = ['a', 'b'].map((name) => markup`<li>${name}</li>`)
    expect(markup`<ul>${items}</ul>${7}${nothing}`.html).toBe('<ul><li>a</li><li>b</li></ul>7')
  })

  it('shows characters that hide or turn around what stands beside them', () => {
    expect(markup`${'safe\u202egnp.exe\u0007\u2066x\u200b'}`.html).toBe('safe�gnp.exe��x�')
    expect(markup`${'line\n\ttab — ü 漢 🟥'}`.html).toBe('line\n\ttab — ü 漢 🟥')
  })

  it('links to the web and to nowhere else', () => {
    expect(link('https://a.example/?a="b"', 'x').html).toBe(
      '<a href="https://a.example/?a=&quot;b&quot;" rel="noreferrer">x</a>',
    )
    for (const address of ['javascript:alert(1)', ' https://a', 'data:text/html,x', '//a', ''])
      expect(link(address, 'x').html).toBe('x')
  })
})
