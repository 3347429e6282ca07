"""What the API says about push subscriptions and users of work apps, in Chinese and English. Data only."""

Sentence = tuple[str, str]

SUBSCRIPTION_FIELDS: dict[str, Sentence] = {
    "push_missing": (
        "webpush 须填写 subscription：浏览器 PushSubscription.toJSON() 的结果。",
        "For webpush, give subscription: what PushSubscription.toJSON() says in the browser.",
    ),
    "push_not_here": ("只有 webpush 填写 subscription，请删除此字段。", "Only webpush has one: remove this field."),
    "user_id_missing": (
        "须填写 user_id：该人员在此应用中的用户编号。",
        "Give user_id: what this app calls the person.",
    ),
    "user_id_not_here": ("webpush 不填写 user_id，请删除此字段。", "webpush has no user_id: remove this field."),
    "push_endpoint": (
        "不是可用的推送地址；请重新订阅并原样提交。",
        "Not the address of a push service: subscribe again and send what the browser says.",
    ),
    "push_https": ("推送地址须为 https。", "The address of a push service begins with https."),
    "push_private": (
        "推送地址不能指向本机、内网或 IP 地址。",
        "The address of a push service cannot be an IP address or lie in a private network.",
    ),
    "push_key": (
        "不是 P-256 公钥（65 字节，base64url）；请重新订阅。",
        "Not a P-256 public key (65 bytes, base64url): subscribe again.",
    ),
    "push_auth": (
        "须为 16 字节的 base64url；请重新订阅。",
        "Must be 16 bytes in base64url: subscribe again.",
    ),
}
SUBSCRIPTION_DETAILS: dict[str, Sentence] = {
    "no_webpush": (
        "未设置网页推送：请用 `gengfu webpush key` 生成密钥并填写 [webpush]。",
        "Web Push is not set up: make a key with `gengfu webpush key` and set [webpush].",
    ),
}
