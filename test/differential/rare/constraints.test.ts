/** Names below name constraints of their issuer (RFC 5280, 4.2.1.10; RFC 9598): each line a fact, held against `openssl verify`. */
import { describe, expect, it } from 'vitest'
import { requirePart } from '../../real-parts.js'
import { sequence, wrapped } from '../der-writer.js'
import { OID } from '../extension-writer.js'
import { describeAnswer } from '../judge.js'
import { askOpenssl } from '../judge-openssl.js'
import { askOurs } from '../judge-ours.js'
import { askStunnel } from '../judge-stunnel.js'
import { type GeneralName, writeGeneralName } from '../name-writer.js'
import { createRareKeys, makePath, NAME, type RarePath } from './rare-path.js'

const OK = 'accepted'
const NOT = '!permitted subtree violation'
const OUT = '!excluded subtree violation'
const SYNTAX = '!unsupported or invalid name syntax'
const OTHER = '!unsupported name constraint type'
const GAVE_UP = '!unspecified certificate verification error'

/** What the leaf says, what its issuer permits (`only`) or excludes (`not`), and the answer. */
const facts: readonly (readonly [leaf: string, issuer: string, answer: string])[] = [
  ['dns:example.com', 'only dns:example.com', OK],
  ['dns:example.com', 'only dns:.example.com', NOT],
  ['dns:a.example.com', 'only dns:.example.com', OK],
  ['dns:a.b.example.com', 'only dns:.example.com', OK],
  ['dns:aexample.com', 'only dns:example.com', NOT],
  ['dns:aexample.com', 'not dns:example.com', OK],
  ['dns:example.com', 'only dns:EXAMPLE.com', OK],
  ['dns:example.com', 'only dns:a.com dns:example.com', OK],
  ['dns:example.com', 'only dns:', OK],
  ['dns:example.com', 'not dns:', OUT],
  ['dns:', 'not dns:example.com', OK],
  ['dns:', 'only dns:example.com', NOT],
  ['dns:.example.com', 'only dns:example.com', OK],
  ['dns:example.com.', 'only dns:example.com', NOT],
  ['dns:example.com', 'only dns:example.com.', NOT],
  ['dns:example.com.', 'only dns:.com.', OK],
  ['dns:*.example.com', 'only dns:a.example.com', NOT],
  ['dns:*.example.com', 'not dns:a.example.com', OK],
  ['dns:*.a.example.com', 'only dns:a.example.com', OK],
  ['dns:*.b.a.example.com', 'not dns:a.example.com', OUT],
  ['dns:*.com', 'only dns:a.example.com', NOT],
  ['dns:*.EXAMPLE.com', 'not dns:example.COM', OUT],
  ['dns:example.com', 'only dns:*.com', NOT],
  ['dns:this is none', 'not uri:', OK],
  ['dns:xn--exmple-cua.com', 'only dns:xn--exmple-cua.com', OK],
  ['dns:example.com', 'only ip:0a000000ff000000', OK],
  ['dns:example.com', 'only other:', OK],
  ['ip:0a010101', 'only dns:example.com', OK],
  ['ip:0a010101', 'only ip:0a000000ff000000', OK],
  ['ip:0b010101', 'only ip:0a000000ff000000', NOT],
  ['ip:0a010101', 'not ip:0a000000ff000000', OUT],
  ['ip:0a0a0101', 'not ip:0a0a0a0affff0000', OUT],
  ['ip:0a010203', 'only ip:0a000003ff0000ff', OK],
  ['ip:0a010101', 'only ip:0000000000000000', OK],
  [`ip:2000abcd${'0'.repeat(24)}`, `only ip:2000abcd${'0'.repeat(24)}ffffffff${'0'.repeat(24)}`, OK],
  [`ip:2000abcd${'0'.repeat(24)}`, `not ip:2000abcd${'0'.repeat(24)}ffffffff${'0'.repeat(24)}`, OUT],
  [`ip:2000abcd${'0'.repeat(24)}`, 'only ip:0a000000ff000000', NOT],
  ['ip:01020304', `not ip:${'0'.repeat(64)}`, OK],
  ['ip:0a0101', 'only ip:0a000000ff000000', SYNTAX],
  ['ip:0a010101', 'only ip:0a000000', SYNTAX],
  ['ip:0a010101', 'not ip:0a000000ff0000', SYNTAX],
  ['email:a@example.com', 'only email:a@example.com', OK],
  ['email:b@example.com', 'only email:a@example.com', NOT],
  ['email:A@example.com', 'only email:a@example.com', NOT],
  ['email:a@EXAMPLE.com', 'only email:a@example.COM', OK],
  ['email:a@example.com', 'only email:example.com', OK],
  ['email:a@b.example.com', 'only email:example.com', NOT],
  ['email:a@b.example.com', 'only email:.example.com', OK],
  ['email:a@c.b.example.com', 'only email:.example.com', OK],
  ['email:a@example.com', 'only email:.example.com', NOT],
  ['email:"\\a"@example.com', 'only email:a@example.com', NOT],
  ['email:a@example.com', 'not email:a@example.com email:a@test.com', OUT],
  ['email:a@example.com', 'only email:', NOT],
  ['email:a@example.com', 'not email:', OK],
  ['email:a@example.com', 'only email:@example.com', OK],
  ['email:example.com', 'only email:example.com', SYNTAX],
  ['email:a@b@example.com', 'only email:example.com', OK],
  ['email:a @ example.com', 'not uri:', OK],
  ['uri:http://example.com/a', 'only uri:example.com', OK],
  ['uri:http://example.com:8080/', 'only uri:example.com', OK],
  ['uri:https://example.com/a#b', 'only uri:example.com', OK],
  ['uri:http://EXAMPLE.com', 'only uri:example.COM', OK],
  ['uri:http://a.example.com/', 'only uri:example.com', NOT],
  ['uri:http://a.example.com/', 'only uri:.example.com', OK],
  ['uri:http://example.com/', 'not uri:example.com', OUT],
  ['uri:http://1.2.3.4/', 'only uri:example.com', NOT],
  ['uri:http://[2006:abcd::1]:16/', 'only uri:example.com', NOT],
  ['uri:http://[2006:abcd::1%25.example.com]:16/', 'only uri:.example.com', NOT],
  ['uri:http://a@example.com/', 'only uri:example.com', NOT],
  ['uri:http://a.com?.example.com', 'only uri:.example.com', OK],
  ['uri:urn:example', 'only uri:example.com', SYNTAX],
  ['uri:http:///a', 'only uri:example.com', SYNTAX],
  ['uri:http://:80/', 'only uri:example.com', SYNTAX],
  ['uri:http://example.com/', 'only uri:', NOT],
  ['uri:http://example.com/', 'not uri:', OK],
  ['name:Example', 'only name:Example', OK],
  ['name:Other', 'only name:Example', NOT],
  ['name:EXAMPLE', 'not name:Other name:example', OUT],
  ['mailbox:a@example.com', 'only email:example.com', OK],
  ['mailbox:a@EXAMPLE.com', 'only email:example.COM', OK],
  ['mailbox:a@b.example.com', 'only email:example.com', NOT],
  ['mailbox:a@b.example.com', 'only email:.example.com', NOT],
  ['mailbox:a@b..example.com', 'only email:.example.com', OK],
  ['mailbox:b@example.com', 'only email:a@example.com', NOT],
  ['mailbox:a@example.com', 'only email:', NOT],
  ['mailbox:example.com', 'only email:example.com', SYNTAX],
  ['mailbox:a@exämple.com', 'only email:xn--exmple-cua.com', OK],
  ['mailbox:a@EXäMPLE.com', 'only email:xn--exmple-cua.com', OK],
  ['mailbox:a@exÄmple.com', 'only email:xn--exmple-cua.com', NOT],
  ['mailbox:a@exämple.com', 'not email:xn--exmple-cua.com', OUT],
  ['mailbox:a@xn--exmple-cua.com', 'only email:xn--exmple-cua.com', NOT],
  ['mailbox:a@xn--exmple-cua.com', 'not email:xn--exmple-cua.com', OK],
  ['mailbox:a@exämple.com', 'only email:XN--exmple-cua.com', NOT],
  ['mailbox:a@XN--exmple-cua.com', 'only email:XN--exmple-cua.com', OK],
  ['mailbox:a@exämple.com', 'only email:xn--exmple-CUA.com', OK],
  ['mailbox:a@例え.テスト', 'only email:xn--r8jz45g.xn--zckzah', OK],
  ['mailbox:a@b.exämple.com', 'only email:.xn--exmple-cua.com', NOT],
  ['mailbox:a@b..exämple.com', 'only email:.xn--exmple-cua.com', OK],
  ['mailbox:a@b.com', 'only email:xn--b-.com', OK],
  ['mailbox:a@.com', 'only email:xn--.com', OK],
  ['mailbox:a@EXäMPLE.com', 'only email:xn--EXMPLE-cua.com', OK],
  ['mailbox:a@😀.com', 'only email:xn--e28h.com', OK],
  ['mailbox:a@ß.com', 'only email:xn--zca.com', OK],
  ['mailbox:a@b.com', 'only email:xn--99999999.com', GAVE_UP],
  ['mailbox:a@b.com', 'only email:xn--a_.com', GAVE_UP],
  ['mailbox:a@b.com', 'only email:xn--b-c-.com', NOT],
  ['mailbox:a@b.com', 'only email:xn--a-9.com', GAVE_UP],
  ['mailbox:a@b.com', 'not email:xn--a-9.com', GAVE_UP],
  ['mailbox:a@b.com', 'only email:xn--99999.com', GAVE_UP],
  ['other:', 'only dns:example.com', OK],
  ['other:', 'only other:', OTHER],
  ['registeredId:', 'not registeredId:', OTHER],
]

function readName(word: string): GeneralName {
  const [, kind = '', text = ''] = /^(\w+):(.*)$/.exec(word) ?? []
  switch (kind) {
    case 'dns':
    case 'email':
    case 'uri':
      return { kind, text }
    case 'ip':
      return { kind, hex: text }
    case 'name':
      return { kind: 'directory', name: [[{ type: 'O', text }]] }
    case 'mailbox':
      return { kind: 'utf8 email', text }
    case 'other':
    case 'registeredId':
      return { kind }
    default:
      throw new Error(`no kind of name: ${word}`)
  }
}

/** The leaf also has the name that is asked for, and where DNS names are constrained that one is permitted. */
function describePath(leaf: string, issuer: string): RarePath {
  const [rule, ...bases] = issuer.split(' ')
  const needed = rule === 'only' && issuer.includes('dns:') ? [`dns:${NAME}`] : []
  const subtrees = [...bases, ...needed].map((base) => sequence(writeGeneralName(readName(base))))
  const names = [readName(leaf), readName(`dns:${NAME}`)].map(writeGeneralName)
  return {
    leaf: { extensions: [{ oid: OID.altNames, value: sequence(...names) }] },
    issuer: {
      extensions: [{ oid: OID.nameConstraints, value: sequence(wrapped(rule === 'only' ? 0 : 1, ...subtrees)) }],
    },
  }
}

describe.skipIf(requirePart('openssl') === undefined)('name constraints (needs openssl)', () => {
  const keys = createRareKeys()

  it.each(facts)('%s, %s: %s', async (leaf, issuer, answer) => {
    const set = makePath(describePath(leaf, issuer), keys, new Date())
    const judge = await askOpenssl(set)
    expect(judge && describeAnswer(judge)).toBe(answer)
    expect(describeAnswer(askOurs(set))).toBe(answer)
  })
})

describe.skipIf(requirePart('stunnel') === undefined)('name constraints (needs stunnel)', () => {
  const keys = createRareKeys('rsa')

  it.each(facts)('%s, %s: %s', { tags: 'long' }, async (leaf, issuer, answer) => {
    expect(describeAnswer(await askStunnel(makePath(describePath(leaf, issuer), keys, new Date())))).toBe(answer)
  })
})
