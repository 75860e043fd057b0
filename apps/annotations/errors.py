"""What annotations refuse, with stable codes."""

from bitvault.kernel.errors import Conflict, Forbidden, Invalid, PreconditionFailed


class TooManyFavourites(Invalid):
    """Somebody has as many favourites as one can have; fact: ``limit``."""

    code = "annotations.too_many_favourites"
    title = "You have as many favourites as you can have; remove some first"


class TooManyNodes(Invalid):
    """More nodes are named than one question takes; fact: ``limit``."""

    code = "annotations.too_many_nodes"
    title = "One request names a hundred nodes at most"


class TagUnfit(Invalid):
    """A tag is a line of up to 60 characters without controls and without a comma; fact: ``limit``."""

    code = "annotations.tag_unfit"
    title = "A tag is a word or a few, up to 60 characters, without a comma"


class TagNameTaken(Conflict):
    """Another tag has a name that differs in case or spelling at most; fact: ``tag_id``."""

    code = "annotations.tag_name_taken"
    title = "There is a tag of this name"


class TooManyTags(Invalid):
    """The tenant has as many tags as it can have, or the node has; fact: ``limit``."""

    code = "annotations.too_many_tags"
    title = "There are as many tags as there can be"


class TagsAreKept(Forbidden):
    """Viewers and guests make no tags; only administrators rename and delete them."""

    code = "annotations.tags_are_kept"
    title = "Administrators of the vault rename and delete tags"


class CommentUnfit(Invalid):
    """A comment is text of up to 4,000 characters without controls; fact: ``limit``."""

    code = "annotations.comment_unfit"
    title = "A comment is text of up to 4,000 characters"


class UnknownPerson(Invalid):
    """Somebody is named who is no member of the tenant, or too many are; fact: ``limit``."""

    code = "annotations.unknown_person"
    title = "Only members of this vault can be mentioned, twenty at most"


class TooManyComments(Invalid):
    """The node, or the thread, has as many comments as it can have; fact: ``limit``."""

    code = "annotations.too_many_comments"
    title = "There are as many comments here as there can be"


class CommentOfAnother(Forbidden):
    """Only who has written a comment changes its text."""

    code = "annotations.comment_of_another"
    title = "Only the author changes the text of a comment"


class NotAThread(Invalid):
    """A reply is resolved with its thread."""

    code = "annotations.not_a_thread"
    title = "A reply is resolved with its thread"


class DescriptionUnfit(Invalid):
    """A description is text of up to 5,000 characters without controls; fact: ``limit``."""

    code = "annotations.description_unfit"
    title = "A description is text of up to 5,000 characters"


class DescriptionMismatch(PreconditionFailed):
    """The description has changed since the caller read it; fact: ``revision``, the present one."""

    code = "annotations.description_mismatch"
    title = "The description has changed since you read it"


class TemplateUnfit(Invalid):
    """A template has a name and up to 30 fields, each with a name and a kind, and choices where it is a choice; fact: ``reason``."""

    code = "annotations.template_unfit"
    title = "A template has a name, and fields with names of their own; a choice has something to choose from"


class TemplateNameTaken(Conflict):
    """Another template has a name that differs in case or spelling at most; fact: ``template_id``."""

    code = "annotations.template_name_taken"
    title = "There is a template of this name"


class TooManyTemplates(Invalid):
    """The tenant has as many templates as it can have; fact: ``limit``."""

    code = "annotations.too_many_templates"
    title = "There are as many templates as there can be"


class ValueUnfit(Invalid):
    """A value is not what the field takes; facts: ``kind``, ``reason``."""

    code = "annotations.value_unfit"
    title = "This is not what the field takes"


class TooMuchMetadata(Invalid):
    """The node has values in as many fields as one can have; fact: ``limit``."""

    code = "annotations.too_much_metadata"
    title = "There are as many fields here as there can be"
